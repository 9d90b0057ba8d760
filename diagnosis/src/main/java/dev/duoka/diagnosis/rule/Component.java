package dev.duoka.diagnosis.rule;

import java.util.Locale;

/** The part of the system where a root cause lies. */
public enum Component {
  MEMORY("device or host memory ran out"),
  NCCL("the collective library's own set-up, or its calls do not match between ranks"),
  NETWORK("a link, an interface or a service outside the host"),
  HARDWARE("a card, a link inside the host, or the host itself is faulty"),
  DRIVER("the GPU driver or its services"),
  SOFTWARE_ENV("versions, builds and libraries that do not fit together, or a bug in a kernel"),
  NUMERICS("values that are no longer finite"),
  DATA("the training data and what loads it"),
  STORAGE("disks, quotas and file systems"),
  CONFIG("settings that contradict each other or the model"),
  LAUNCH("how processes are placed, started and ended");

  private final String meaning;

  Component(String meaning) {
    this.meaning = meaning;
  }

  /** One line for the documentation. */
  public String meaning() {
    return meaning;
  }

  /** The name in JSON and in rules: {@code software_env}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
