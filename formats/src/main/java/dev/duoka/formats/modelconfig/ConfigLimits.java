package dev.duoka.formats.modelconfig;

/**
 * Checks of the records' values, named as in {@code config.json} so that users find them.
 *
 * <p>The upper limits are far above any model; with them no product of sizes overflows a long.
 */
final class ConfigLimits {
  /** Of hidden and intermediate sizes and ranks. */
  static final int MAX_SIZE = 1 << 19;

  /** Of heads and of a head's dimensions. */
  static final int MAX_HEADS = 1 << 12;

  /** Of layers and shared experts. */
  static final int MAX_LAYERS = 1 << 10;

  /** Of routed experts. */
  static final int MAX_EXPERTS = 1 << 12;

  /** Of the vocabulary and the positions. */
  static final int MAX_TOKENS = 1 << 28;

  private ConfigLimits() {}

  static void range(String key, int value, int least, int most) {
    if (value < least || value > most) {
      throw wrong(key + " is " + value, "Set it to " + least + " to " + most);
    }
  }

  static void positive(String key, double value) {
    if (!(value > 0) || Double.isInfinite(value)) {
      throw wrong(key + " is " + value, "Set it to a number above 0");
    }
  }

  static void notNegative(String key, double value) {
    if (!(value >= 0) || Double.isInfinite(value)) {
      throw wrong(key + " is " + value, "Set it to 0 or more");
    }
  }

  static void that(boolean holds, String problem, String remedy) {
    if (!holds) {
      throw wrong(problem, remedy);
    }
  }

  private static InvalidModelConfigException wrong(String problem, String remedy) {
    return new InvalidModelConfigException(problem, remedy + ".");
  }
}
