package dev.duoka.formats.adapter;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** In which form the frozen weights beside an adapter are kept. */
public enum BaseForm {
  /** In the numbers that the model computes in. */
  DENSE,
  /**
   * The matrices of decoder layers but the routers' in NF4, with scales in 8 bits (QLoRA; Dettmers
   * et al., arXiv:2305.14314); all else as {@link #DENSE}.
   */
  NF4,
  /** As {@link #NF4}, with scales in fp32. */
  NF4_SINGLE;

  /** Whether it is one of 4 bits. */
  public boolean isInFourBits() {
    return this != DENSE;
  }

  /** The form of that name; empty where there is none. */
  public static Optional<BaseForm> named(String name) {
    return Arrays.stream(values()).filter(form -> form.toString().equals(name)).findFirst();
  }

  /** For example {@code nf4}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
