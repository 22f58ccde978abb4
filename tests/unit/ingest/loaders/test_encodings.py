"""Short text files in older encodings are read in the likeliest one."""

from __future__ import annotations

import pytest

from ingest.loaders import load


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp932", "名前,年齢,住所\n佐藤太郎,30,東京\n三木英子,25,大阪\n"),
        ("cp932", "品名,価格\nりんご,120円\n"),
        ("cp932", "コード,テスト\nA,データ\n"),
        ("gb18030", "姓名,年龄,城市\n王伟,30,北京\n"),
        ("big5", "姓名,年齡,城市\n王偉,30,台北\n"),
        ("cp949", "이름,나이,도시\n김철수,30,서울\n"),
        ("cp1251", "Имя,Возраст\nИван,30\nМосква,7\n"),
        ("cp1253", "Όνομα,Ηλικία\nΝίκος,30\n"),
        ("cp1252", "Name,Straße,Größe\nMüller,Hauptstraße,groß\n"),
        ("cp1252", "naïve café – “quoted” €5\n"),
        ("cp1252", "a,b\n½,°C\n"),
        ("cp1252", "Ærø, Æbleskiver; ØÆÅ\n"),
    ],
)
@pytest.mark.parametrize("name", ["a.csv", "a.txt"])
def test_short_text_in_an_older_encoding(write, name, encoding, text):
    words = text.replace(",", " ").split()
    read = load(write(name, text.encode(encoding))).text
    assert all(word in read for word in words)
