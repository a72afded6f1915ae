"""From judged results to tables that everybody sees: all of a run's, or none."""
