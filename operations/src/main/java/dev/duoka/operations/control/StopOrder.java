package dev.duoka.operations.control;

/** Why a run is to end. */
public enum StopOrder {
  /** Its user pressed Ctrl-C. */
  INTERRUPT,
  /** Whoever runs it, a job scheduler say, needs the machine: SIGTERM. */
  TERMINATE,
  /** Its user wants it to end, by {@code duoka stop}. */
  STOP
}
