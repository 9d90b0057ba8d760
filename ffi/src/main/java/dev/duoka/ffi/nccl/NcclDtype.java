package dev.duoka.ffi.nccl;

/** {@code ncclDataType_t}. */
public enum NcclDtype {
  UINT8(1),
  INT32(2),
  INT64(4),
  FLOAT16(6),
  FLOAT32(7),
  FLOAT64(8),
  BFLOAT16(9);

  final int code;

  NcclDtype(int code) {
    this.code = code;
  }
}
