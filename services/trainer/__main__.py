"""The door of the trainer: settings from the environment, one run, a model version."""

import logging
import shlex
import sys

from services.contracts.errors import MillsightError
from services.runtime.clock import utc_now
from services.runtime.logs import configure_logging
from services.runtime.settings import load_settings
from services.trainer.ports import EpochReport
from services.trainer.settings import TrainerSettings, prepare_tensorflow

_log = logging.getLogger("services.trainer")


class LoggingObserver:
    """Writes a line per epoch."""

    def step_done(self, progress: float, loss: float, accuracy: float) -> None:
        """Say nothing of single batches."""

    def epoch_done(self, report: EpochReport) -> None:
        """Log the epoch's figures."""
        _log.info(
            "epoch %d, %.0f %% done: loss %.3f, accuracy %.3f, %d px, %.1f images/s",
            report.epoch, 100 * report.progress, report.loss, report.accuracy, report.image_px,
            report.images_per_s,
        )  # fmt: skip

    def stage(self, sentence: str) -> None:
        """Log what begins."""
        _log.info("%s", sentence)


def main() -> int:
    """Train once; return the exit code."""
    configure_logging("trainer")
    try:
        settings = load_settings(TrainerSettings)
        prepare_tensorflow(settings.run.threads)
        from services.trainer.app import TrainingRequest, train

        request = TrainingRequest(
            images_dir=settings.data.images_dir,
            csv_file=settings.data.csv_file,
            model_name=settings.repository.model_name,
            repository_dir=settings.repository.directory,
            work_dir=settings.run.work_dir,
            plan=settings.run.plan(),
            date=utc_now().date().isoformat(),
            command=shlex.join(["python", "-m", "services.trainer"]),
            held_out_share=settings.data.held_out_share,
            split_file=settings.data.split_file,
            replace=settings.repository.replace,
        )
        version = train(request, LoggingObserver())
    except MillsightError as error:
        _log.error("%s", error)
        return 2
    _log.info("%s version %d is in %s", version.name, version.version, version.directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
