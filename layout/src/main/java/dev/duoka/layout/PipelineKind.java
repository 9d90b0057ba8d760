package dev.duoka.layout;

/** The orders of a pipeline's work that a run can name. */
public enum PipelineKind {
  /** All micro-batches forward, then all backward (GPipe). */
  GPIPE("gpipe"),
  /** One forward, one backward. */
  ONE_F_ONE_B("1f1b"),
  /** One forward, one backward over several stages a rank. */
  INTERLEAVED("interleaved"),
  /** Weight gradients apart, where a rank would wait (ZB-H1). */
  ZERO_BUBBLE("zero_bubble");

  private final String word;

  PipelineKind(String word) {
    this.word = word;
  }

  /** As run files write it. */
  @Override
  public String toString() {
    return word;
  }
}
