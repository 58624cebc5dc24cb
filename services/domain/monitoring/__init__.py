"""The process monitor's rules: from registered defects to statistics, alarms, flags and camera conditions."""
