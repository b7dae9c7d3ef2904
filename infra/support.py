"""AWS's standard support of the versions that an environment names: refused after its end, told ninety days before.

Settings know no clock, so this looks at them with the day given. The days and their sources: tables/kubernetes.yaml and
tables/database.yaml.
"""

from datetime import date, timedelta

from infra import tables
from infra.errors import Problem, SettingsError
from infra.settings import Settings

NOTICE = timedelta(days=90)


def ending_support(settings: Settings, today: date) -> list[str]:
    """Give a sentence for each version whose standard support ends within ninety days.

    Raises:
        SettingsError: for each version whose standard support has ended.
    """
    told, problems = [], []
    ends = tables.standard_support_ends()
    chosen = {
        "kubernetesVersion": settings.kubernetes_version,
        "database.postgresVersion": settings.database.postgres_version,
    }
    for setting, version in chosen.items():
        last = ends[setting, version]
        newer = [known for (name, known), day in ends.items() if name == setting and day > max(last, today)]
        fix = f"take {' or '.join(newer)}" if newer else "upgrade Slipway: its tables know no newer version"
        if today > last:
            problems.append(
                Problem(
                    where=f"stacks/Pulumi.{settings.environment}.yaml slipway:{setting}",
                    what=f"AWS's standard support of {version} ended on {last}",
                    fix=fix,
                )
            )
        elif last - today <= NOTICE:
            end = f"AWS's standard support ends on {last}, in {(last - today).days} days"
            told.append(f"{setting} {version}: {end}; {fix}")
    if problems:
        raise SettingsError(*problems)
    return told
