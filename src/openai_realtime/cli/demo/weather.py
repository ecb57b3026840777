"""The demo's tool: the weather, made up, but always the same for the same place."""

from __future__ import annotations

from typing import Any

__all__ = ["WEATHER_TOOL", "get_weather"]

WEATHER_TOOL: dict[str, Any] = {
    "name": "get_weather",
    "description": (
        "Retrieves the weather for a given lat, lng coordinate pair. "
        "Specify a label for the location."
    ),
    "parameters": {
        "type": "object",
        "properties": {
            "lat": {"type": "number", "description": "Latitude"},
            "lng": {"type": "number", "description": "Longitude"},
            "location": {"type": "string", "description": "Name of the location"},
        },
        "required": ["lat", "lng", "location"],
    },
}

_CONDITIONS = ("clear sky", "light rain", "a few clouds", "fog", "strong wind")


async def get_weather(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return a temperature and a condition that follow from the coordinates."""
    latitude, longitude = float(arguments["lat"]), float(arguments["lng"])
    return {
        "location": arguments["location"],
        "temperature": f"{round(30 - abs(latitude) / 3)} degrees Celsius",
        "condition": _CONDITIONS[round(abs(longitude)) % len(_CONDITIONS)],
    }
