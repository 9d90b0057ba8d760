package dev.duoka.layout;

import java.util.Locale;

/** What lives in host memory. */
public enum Offload {
  /** Nothing. */
  NONE,
  /** Master weights and moments; {@link OffloadUpdate} says who updates. */
  OPTIMIZER,
  /** The optimizer's states and the sharded weights, fetched for each layer; with ZeRO 3. */
  PARAMETERS;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
