"""`kiosk bench`: what this machine can take, as ratios to what its disk and database can do at most."""
