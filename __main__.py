"""The entry point of `pulumi up`. It stands at the root so that infra/ and values/ can be imported."""

from infra.program import main

main()
