package dev.duoka.diagnosis.log;

/** What the first bytes of a file tell of it. */
enum TextKind {
  UTF_8,
  UTF_16_LITTLE,
  UTF_16_BIG,
  BINARY;

  /** Bytes that are looked at. */
  static final int SAMPLE = 4096;

  /** Of a hundred bytes of text fewer than so many are control characters; zeros are holes. */
  private static final int CONTROLS_IN_A_HUNDRED = 3;

  private static final int FEWEST = 64;

  static TextKind of(byte[] sample) {
    if (startsWith(sample, 0xff, 0xfe)) {
      return UTF_16_LITTLE;
    }
    if (startsWith(sample, 0xfe, 0xff)) {
      return UTF_16_BIG;
    }
    int[] zeros = new int[2];
    int controls = 0;
    for (int i = 0; i < sample.length; i++) {
      int b = sample[i] & 0xff;
      if (b == 0) {
        zeros[i & 1]++;
      } else if ((b < 0x20 && !(b >= '\b' && b <= '\r') && b != 0x1b) || b == 0x7f) {
        controls++;
      }
    }
    int half = sample.length / 2;
    if (controls * 100 > sample.length * CONTROLS_IN_A_HUNDRED && sample.length >= FEWEST) {
      return BINARY;
    }
    // Text of mostly Latin letters without a mark has a zero in every second byte.
    if (half > 2 && zeros[1] > half * 3 / 4 && zeros[0] < half / 8) {
      return UTF_16_LITTLE;
    }
    if (half > 2 && zeros[0] > half * 3 / 4 && zeros[1] < half / 8) {
      return UTF_16_BIG;
    }
    return UTF_8;
  }

  private static boolean startsWith(byte[] sample, int first, int second) {
    return sample.length >= 2 && (sample[0] & 0xff) == first && (sample[1] & 0xff) == second;
  }
}
