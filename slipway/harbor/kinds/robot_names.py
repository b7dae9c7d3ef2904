"""How many robots have a name that begins with robot_name_prefix: changing that renames them all at once.

count = await robots_there(harbor)
"""

from slipway.harbor.client import HarborClient
from slipway.harbor.client.api import projects, robots
from slipway.harbor.kinds.parts import all_good


async def robots_there(harbor: HarborClient) -> int:
    """Count the robots, of the system and of every project: a request for each project, for there is no list of all.

    Raises:
        HarborError: they could not be read.
    """
    found = await harbor.all(robots.of_system())
    every = await harbor.all(projects.every())
    lists = await harbor.each(lambda each=each: harbor.all(robots.of_project(each.project_id)) for each in every)
    return len(found) + sum(len(rows) for rows in all_good(lists))
