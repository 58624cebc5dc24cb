"""`millsight`: every command is a thin door onto a room."""

import sys

import typer

from services.commands import camera, dataset, db, model, stack, user, work_orders
from services.commands.analyse import analyse
from services.commands.bench import bench
from services.commands.chart import chart
from services.commands.evaluate import evaluate
from services.commands.export import export
from services.commands.pretrain import pretrain
from services.commands.report import report
from services.commands.simulate import simulate
from services.commands.train import train
from services.contracts.errors import MillsightError

app = typer.Typer(
    name="millsight",
    help="Watches a production line with many cameras and says which machine needs maintenance.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
USER_ERROR_EXIT_CODE = 2
_TRAINER_PACKAGES = frozenset({"keras", "matplotlib", "nncf", "openvino", "sklearn", "tensorflow"})

for command in (
    stack.up, stack.down, stack.status, stack.logs, bench, train, evaluate, analyse, simulate, pretrain,
    report, chart, export,
):  # fmt: skip
    app.command()(command)
app.add_typer(camera.app, name="camera")
app.add_typer(db.app, name="db")
app.add_typer(model.app, name="model")
app.add_typer(dataset.app, name="dataset")
app.add_typer(user.app, name="user")
app.add_typer(work_orders.app, name="work-orders")


def main() -> None:
    """Run the command line; what goes wrong on purpose ends in one line on standard error and exit code 2."""
    try:
        app()
    except MillsightError as error:
        print(f"millsight: {error}", file=sys.stderr)
        sys.exit(USER_ERROR_EXIT_CODE)
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        if package not in _TRAINER_PACKAGES:
            raise
        print(
            f"millsight: this command needs the package {package}, which is not installed here:"
            " run `make install`, or install the extra 'trainer'",
            file=sys.stderr,
        )
        sys.exit(USER_ERROR_EXIT_CODE)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
