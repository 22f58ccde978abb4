"""When questions are refused: the fit and its figures."""
