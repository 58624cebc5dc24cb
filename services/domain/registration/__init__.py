"""From inspected frames to physical defects: places, coils, landmarks, one defect of many sightings."""
