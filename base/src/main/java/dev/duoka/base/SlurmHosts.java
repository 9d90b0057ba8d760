package dev.duoka.base;

/** Reads Slurm's short form of lists of hosts, and says where processes of a job meet. */
public final class SlurmHosts {
  /** Ports that no system gives to clients, and few programs have for their own. */
  private static final int FIRST_PORT = 20_000;

  private static final int PORTS = 10_000;

  private SlurmHosts() {}

  /**
   * The first host of a list such as {@code gpu[003-017,020],login1}: of each bracket the first
   * number, up to the first comma outside of brackets. Empty if there is none.
   */
  public static String first(String list) {
    StringBuilder host = new StringBuilder();
    boolean inBracket = false;
    boolean past = false; // the first number of the bracket
    for (char next : list.strip().toCharArray()) {
      if (inBracket) {
        past |= next == '-' || next == ',';
        if (next == ']') {
          inBracket = false;
        } else if (!past) {
          host.append(next);
        }
      } else if (next == '[') {
        inBracket = true;
        past = false;
      } else if (next == ',') {
        break;
      } else {
        host.append(next);
      }
    }
    return host.toString();
  }

  /** The port of a job: another one for each, so that jobs on one machine do not meet. */
  public static int port(long job) {
    return FIRST_PORT + (int) (job % PORTS);
  }
}
