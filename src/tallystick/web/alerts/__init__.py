"""The pages of alerts: the queue, one alert, and how fast they are handled."""
