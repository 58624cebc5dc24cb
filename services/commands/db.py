"""`millsight db …`: roles, schema and line of the database, each a thin door onto the PostgreSQL adapter."""

from pathlib import Path
from typing import Annotated, Final

import typer

app: Final = typer.Typer(help="Set up the database: roles, then migrate, then line.", no_args_is_help=True)

AdminUrlFile = Annotated[
    Path, typer.Option(envvar="MILLSIGHT_ADMIN_URL_FILE", help="File with the administrator's libpq URL")
]
OwnerUrlFile = Annotated[
    Path, typer.Option(envvar="MILLSIGHT_OWNER_URL_FILE", help="File with millsight_owner's libpq URL")
]
ClassifierUrlFile = Annotated[Path, typer.Option(help="File with millsight_classifier's libpq URL")]
SecretsDir = Annotated[
    Path, typer.Option(help="Directory of <role>.password (made where missing) and <role>.url (written)")
]


def _read_url(file: Path) -> str:
    from services.runtime.settings import PostgresSettings

    return PostgresSettings(url_file=file).read_url()


@app.command()
def roles(admin_url_file: AdminUrlFile, secrets_dir: SecretsDir, database: str = "millsight") -> None:
    """Create the database, its schema and the roles; safe to repeat."""
    from services.adapters.postgres.roles import ROLE_NAMES, ensure_roles, role_url
    from services.adapters.postgres.secret_files import password_of, write_url

    admin_url = _read_url(admin_url_file)
    passwords = {name: password_of(secrets_dir, name) for name in ROLE_NAMES}
    ensure_roles(admin_url, passwords, database)
    for name, password in passwords.items():
        write_url(secrets_dir, name, role_url(admin_url, name, password, database))
    typer.echo(f"roles of database {database} are ready; their URLs are in {secrets_dir}/<role>.url")


@app.command()
def migrate(owner_url_file: OwnerUrlFile) -> None:
    """Bring the schema and the privileges up to date; safe to repeat."""
    from services.adapters.postgres.schema import migrate as bring_up_to_date
    from services.adapters.postgres.schema import newest_revision

    bring_up_to_date(_read_url(owner_url_file))
    typer.echo(f"the database is at revision {newest_revision()}")


@app.command()
def line(owner_url_file: OwnerUrlFile, line_file: Path = Path("line.yaml")) -> None:
    """Write line.yaml's machines and cameras into the database; safe to repeat."""
    from services.adapters.postgres.line import apply_topology
    from services.contracts.line_file import load_topology

    topology = load_topology(line_file)
    apply_topology(_read_url(owner_url_file), topology)
    machines = sum(len(each.machines) for each in topology.lines)
    typer.echo(
        f"{len(topology.lines)} line(s), {machines} machines, {len(topology.cameras)} cameras are in the database"
    )


@app.command()
def retention(owner_url_file: OwnerUrlFile, keep_days: int = 90, keep_image_days: int = 14) -> None:
    """Keep inspections and evidence images for so many days; classifiers apply it every hour."""
    from services.adapters.postgres.schema import set_retention

    dropped = set_retention(_read_url(owner_url_file), keep_days, keep_image_days)
    typer.echo(f"dropped {len(dropped)} day partitions" + (": " + ", ".join(dropped) if dropped else ""))


@app.command()
def models(url_file: ClassifierUrlFile, repository: Path = Path("model_repository")) -> None:
    """Record the model versions of a repository, so that rows lead to their model's card; safe to repeat."""
    from services.adapters.postgres.models import register_models

    typer.echo(f"{register_models(_read_url(url_file), repository)} model version(s) are recorded")
