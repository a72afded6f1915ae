"""The weather as the airports measured it, hour by hour."""

import pandas as pd

from segue import step

NAMES = {
    "time_hour": "hour_at",
    "temp": "temperature",
    "wind_speed": "wind_mph",
    "precip": "rain_inches",
    "visib": "visibility_miles",
}


@step(tags=["core"])
def weather_hours(weather: pd.DataFrame) -> pd.DataFrame:
    """One row per airport and hour, the last reading where there are two."""
    hours = weather.rename(columns=NAMES)[["origin", *NAMES.values()]]
    return hours.drop_duplicates(["origin", "hour_at"], keep="last")
