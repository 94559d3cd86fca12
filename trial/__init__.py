"""What demo, tests and bench share: the whole product on a stage, its reader and its judge."""
