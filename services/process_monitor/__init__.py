"""Process monitor room: inspections in; attributed defects, charts, flags, work orders and alerts out."""
