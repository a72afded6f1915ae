"""How each carrier did over the year."""

import numpy as np
import pandas as pd

from segue import step


@step(by="carrier", sort="scheduled_at", tags=["reports"])
def carrier_trends(departures: pd.DataFrame, min_flights: int = 500) -> pd.DataFrame:
    """Delay per carrier and its trend in minutes per month; called once per carrier."""
    month = departures["day"].map(lambda day: day.month).to_numpy(dtype=float)
    delay = departures["dep_delay"].to_numpy(dtype=float)
    enough = len(departures) >= min_flights
    trend = np.polyfit(month, delay, 1)[0] if enough else np.nan
    return pd.DataFrame(
        {
            "carrier": departures["carrier"].iloc[:1],
            "flights": [len(departures)],
            "mean_delay": [delay.mean()],
            "worst_delay": [departures["dep_delay"].max()],
            "trend_per_month": [trend],
        }
    )
