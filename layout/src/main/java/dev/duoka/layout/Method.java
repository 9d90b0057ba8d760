package dev.duoka.layout;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.NearestName;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Which weights are trained. */
public enum Method {
  /** All weights. */
  FULL,
  /** Low-rank adapters beside frozen 16-bit weights (arXiv 2106.09685). */
  LORA,
  /** Low-rank adapters beside frozen 4-bit weights (arXiv 2305.14314). */
  QLORA;

  /** Whether only adapters are trained. */
  public boolean isAdapter() {
    return this == LORA || this == QLORA;
  }

  /** The method of that name; an error with the nearest where there is none. */
  public static Method named(String name) {
    List<String> names = Arrays.stream(values()).map(Method::toString).toList();
    int index = names.indexOf(name.strip().toLowerCase(Locale.ROOT));
    if (index < 0) {
      boolean form = name.contains("8bit");
      throw new DuokaException(
          ErrorCode.USAGE,
          "there is no method '" + name + "'",
          form
              ? "Moments in 8 bits go with method full: --moments 8bit."
              : NearestName.hint(name, names));
    }
    return values()[index];
  }

  /** For example {@code qlora}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
