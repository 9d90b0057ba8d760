package dev.duoka.ffi.cuda;

/** The dtypes of matrices that cuBLAS multiplies, with their codes in {@code library_types.h}. */
public enum MatrixDtype {
  /** IEEE single precision. */
  FLOAT32(0),
  /** IEEE half precision. */
  FLOAT16(2),
  /** Brain floating point. */
  BFLOAT16(14),
  /** 8 bits, of which 4 are the exponent's and 3 the mantissa's; largest value 448. */
  FLOAT8_E4M3(28);

  final int code;

  MatrixDtype(int code) {
    this.code = code;
  }
}
