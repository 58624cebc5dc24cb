"""Statistical process control: charts, detectors, run lengths, change points, rates and multiplicity."""
