package dev.duoka.tensor;

import dev.duoka.ffi.torch.Codes;
import org.jspecify.annotations.Nullable;

/** The element types that the engine uses. */
public enum Dtype {
  FLOAT64("float64", 8),
  FLOAT32("float32", 4),
  BFLOAT16("bfloat16", 2),
  FLOAT16("float16", 2),
  INT64("int64", 8),
  INT32("int32", 4),
  INT16("int16", 2),
  UINT8("uint8", 1),
  BOOL("bool", 1),
  /** 8 bits, of which 4 are the exponent's and 3 the mantissa's; for products with scales. */
  FLOAT8_E4M3("float8_e4m3fn", 1);

  private final String torchName;
  private final int bytes;

  Dtype(String torchName, int bytes) {
    this.torchName = torchName;
    this.bytes = bytes;
  }

  /** The size of one element in bytes. */
  public int bytes() {
    return bytes;
  }

  /** Whether this is one of the four floating-point types. */
  public boolean isFloating() {
    return ordinal() <= FLOAT16.ordinal();
  }

  /** LibTorch's code of this type. */
  public int code() {
    return DtypeCodes.get()[ordinal()];
  }

  static Dtype ofCode(int code) {
    for (Dtype dtype : DtypeCodes.VALUES) {
      if (dtype.code() == code) {
        return dtype;
      }
    }
    throw new IllegalArgumentException("LibTorch's dtype code " + code + " is not used here");
  }

  @Override
  public String toString() {
    return torchName;
  }

  /** Asked from the library at first use, so that naming a dtype does not load LibTorch. */
  private static final class DtypeCodes {
    static final Dtype[] VALUES = values();

    // No initialiser: a failure in it would reach the caller wrapped in an Error.
    private static volatile int @Nullable [] codes;

    static int[] get() {
      int[] known = codes;
      if (known == null) {
        known = new int[VALUES.length];
        for (Dtype dtype : VALUES) {
          known[dtype.ordinal()] = Codes.dtype(dtype.torchName);
        }
        codes = known;
      }
      return known;
    }
  }
}
