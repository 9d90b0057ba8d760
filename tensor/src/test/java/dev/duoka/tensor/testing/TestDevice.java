package dev.duoka.tensor.testing;

import dev.duoka.tensor.Device;

/**
 * The device that tests of operators and functions run on: the system property {@value #PROPERTY},
 * {@code cpu} (the default), {@code cuda} or {@code cuda:1}.
 */
public final class TestDevice {
  /** Names the device. */
  public static final String PROPERTY = "duoka.test.device";

  private TestDevice() {}

  /** The device to run on. */
  public static Device current() {
    return parse(System.getProperty(PROPERTY, "cpu"));
  }

  /** The GPU that tests tagged {@code cuda} compare the CPU with. */
  public static Device cuda() {
    Device current = current();
    return current.isCuda() ? current : Device.cuda(0);
  }

  private static Device parse(String name) {
    if (name.equals("cpu")) {
      return Device.CPU;
    }
    if (name.equals("cuda") || name.startsWith("cuda:")) {
      return Device.cuda(name.equals("cuda") ? 0 : Integer.parseInt(name.substring(5)));
    }
    throw new IllegalArgumentException(PROPERTY + " is '" + name + "', not cpu, cuda or cuda:N");
  }
}
