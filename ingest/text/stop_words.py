"""English stop words."""

from __future__ import annotations

STOP_WORDS = frozenset(
    word
    for line in (
        "a about above after again all also am an and any are as at be because been before being below between both",
        "but by can could did do does doing down during each few for from further had has have having he her here hers",
        "him his how i if in into is it its itself just may me might more most must my no nor not now of off on once",
        "only or other our out over own per same she should so some such than that the their them then there these",
        "they this those through thus to too under until up us use used using very was we were what when where which",
        "while who whom why will with within would you your tell say says show give many much",
    )
    for word in line.split()
)
