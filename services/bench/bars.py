"""What the line must reach; docs/benchmark.md says why."""

from typing import Final

from services.bench.figures import Bar, Sense

TRITON_TO_ENGINE: Final = Bar(Sense.AT_LEAST, 0.95)
LINE_TO_ENGINE: Final = Bar(Sense.AT_LEAST, 0.88)
LINE_TO_REFERENCE: Final = Bar(Sense.AT_LEAST, 4.0)
FRAMES_PER_CORE: Final = Bar(Sense.AT_LEAST, 1000.0)
P99_AT_HALF_LOAD_MS: Final = Bar(Sense.AT_MOST, 150.0)
GROWTH_MB_IN_TEN_MINUTES: Final = Bar(Sense.AT_MOST, 4.0)
"""Of private memory, once the caches are warm; less cannot be told from what an allocator keeps for itself."""
