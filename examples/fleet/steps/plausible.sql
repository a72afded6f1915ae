-- What the freezers measured, in the units of the report.
select n, measured, freezer, celsius, celsius * 1.8 + 32 as fahrenheit
from readings
