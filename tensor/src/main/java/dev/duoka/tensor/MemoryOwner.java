package dev.duoka.tensor;

/** What memory is used for; every allocation is booked on the owner of the scope it is made in. */
public enum MemoryOwner {
  WEIGHTS("weights"),
  MASTER_WEIGHTS("master weights"),
  GRADIENTS("gradients"),
  OPTIMIZER("optimizer"),
  ACTIVATIONS("activations"),
  LOGITS("logits"),
  TEMPORARIES("temporaries"),
  BATCH("batch"),
  CONSTANTS("constants"),
  KV_CACHE("kv cache"),
  SNAPSHOT("snapshot"),
  COMMUNICATION("communication"),
  /** What weight gradients need that were put off. */
  WAITING("waiting weight gradients");

  private final String label;

  MemoryOwner(String label) {
    this.label = label;
  }

  /** The name for reports. */
  public String label() {
    return label;
  }
}
