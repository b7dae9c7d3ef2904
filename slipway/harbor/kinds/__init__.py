"""One module per kind of object inside Harbor. Everything else (plan, apply, ledger, drift) is the same for all.

How to write a kind:

1. **What the file says**: models in `slipway/harbor/spec/NAME.py` (subclasses of `Spec`; `Named` for what has a life
   of its own and may say `adopt` and `protect`), and a field in `spec/root.py` (the system's), `spec/projects.py`
   (`ProjectSettings`: then defaults and profiles have it too; a list of named things also in `NAMED_BY`) or
   `spec/system.py`. What Harbor does not check is checked there. Secrets are `SecretRef`.
2. **How it behaves**: a subclass of `Kind` in `kinds/NAME.py`; `labels.py` is the shortest whole one, for the
   system and for projects; `projects.py` has fields behind several requests.

   - `name`: as people read it; `fixed`: fields that only a new one can have; `singleton`: there is always one;
     `closing`: it ends all writing, so it comes last; `named_by`: kinds that it is read by.
   - `desired(spec)`, pure: an `Object` for each thing declared. `key` is the natural key, and for what is in a project
     begins with it (``payments/ci-push``); such an Object also has `parent="payments"` and needs the project
     (`needs=(Ref("project", "payments"),)`). `fields` holds only what is managed (`fields_of` and `given()` leave out
     what is absent), plain and normalised so that equal means equal: booleans, bytes, seconds, sorted lists where order
     has no meaning, names instead of ids. null becomes Harbor's default here. `needs` is what must exist, `after`
     what only has to be done first if it is declared. Secrets go into `secrets`, field → SecretRef. `lists` names each
     list that is declared; without it nothing in it is ever deleted. Secrets that we make ourselves stand in `made`,
     with where they are stored; a `warning` is told and stops nothing.
   - `read(harbor, scope, world)`: only what the scope names, with few requests, `in_projects` for lists of projects.
     The same normalised `fields` of what is there, all of them, and `id`. `world` has what stands before it in
     ORDER (`world.of("registry")` for names by id). `guard` says why something is never deleted; `content` what
     would be lost. What the API shows only for a further request is read where `scope.cares(key, field)`. `free`:
     Harbor made it by itself. `shown`: secrets that Harbor reads back in clear. Around a write (`scope.again`) what the
     world holds may have moved.
   - `declare(present, draft)`, pure: the inverse of `desired`, for the export: writes what was read into a draft of the
     file (`draft.add(("labels",), {"name": …}, one)`), so that `desired` of it gives the same fields. `unusual` leaves
     out what is as Harbor makes it, `draft.secret` names a secret, `draft.leave` says what is not written and why;
     what Harbor made by itself (`guard`) is not written. Fields may be missing: what the file cannot say is taken away.
   - `create(site, wanted)` gives Harbor's id. Send it by `site.harbor.create(request, find)`, so that a lost answer
     leaves no second one. `site.world.number("project", wanted.parent)` gives ids, `site.secret(wanted, "field")`
     the value of a secret (None where the file names none). What a POST ignores is set right after it.
   - `update(site, edit)`: `edit.fields` are the fields that differ, secrets that have to be sent too;
     `edit.value(name)` is the field as it is to be, for requests that replace everything. `edit.present.id` is whose.
     It gives the id only where that became another.
   - `delete(site, present)`.

   Raise nothing yourself but for what Harbor would do in silence; errors of the client become outcomes of the object.
3. **Where it stands**: a line in `order.py`. Kinds of one stage may not need each other.
4. **Tests** in `tests/harbor_as_code/test_NAME.py` with the fixture `place`: make, plan again (empty), change, drift by
   hand (`place.api.api("PUT", …)`), prune; and a part in the WHOLE of a test_every_field file, with which the export's
   tests begin.

The engine does the rest: adoption by consent, what is ours (the ledger), what is read again before a write and after
it, rounds for what a fault stopped, fingerprints of secrets, protection, and the order.
"""

from slipway.harbor.kinds.base import Desired, Edit, Kind, Object, Ref, Scope, Site, World

__all__ = ["Desired", "Edit", "Kind", "Object", "Ref", "Scope", "Site", "World"]
