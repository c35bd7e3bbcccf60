"""How good forecasts are: scores, past origins, the UN's editions of the time, peers, and the record of it all."""
