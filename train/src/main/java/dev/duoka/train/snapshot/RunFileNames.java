package dev.duoka.train.snapshot;

/** Files of a run's folder that a run writes and a rollback parts. */
public final class RunFileNames {
  /** The resolved configuration, which {@code --resume} and other commands read. */
  public static final String CONFIG = "run.yaml";

  /** A JSON object for each step and each validation. */
  public static final String METRICS = "metrics.jsonl";

  /** What the model wrote at each validation beside what was expected. */
  public static final String ANSWERS = "answers.jsonl";

  /** Where each rank is, as {@code duoka config --json} says it. */
  public static final String PLACEMENT = "placement.json";

  /** What the data of the run is, source by source. */
  public static final String SOURCES = "sources.json";

  /** What the run told its user. */
  public static final String LOG = "run.log";

  private RunFileNames() {}
}
