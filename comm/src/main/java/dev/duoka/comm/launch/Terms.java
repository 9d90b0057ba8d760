package dev.duoka.comm.launch;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * What must be the same on all processes of a run, in lines; of two that differ the first line is
 * named.
 *
 * @param version of the program
 * @param lines what the run is, for example its configuration
 */
public record Terms(String version, List<String> lines) {
  private static final int LONGEST_BYTES = 1 << 24;
  private static final int LONGEST_SHOWN = 200;

  public Terms {
    lines = List.copyOf(lines);
  }

  /** Of this program and the lines of a text. */
  public static Terms of(String text) {
    return new Terms(ownVersion(), text.lines().toList());
  }

  /** The program's version; all its modules have the same. */
  private static String ownVersion() {
    var descriptor = Terms.class.getModule().getDescriptor();
    return descriptor == null ? "development" : descriptor.rawVersion().orElse("development");
  }

  /** The first line that is another one there, as both have it; empty when all are the same. */
  String difference(Terms other) {
    int both = Math.max(lines.size(), other.lines.size());
    for (int i = 0; i < both; i++) {
      String here = line(i);
      String there = other.line(i);
      if (!here.equals(there)) {
        return "'" + here + "' and '" + there + "'";
      }
    }
    return "";
  }

  private String line(int index) {
    String line = index < lines.size() ? lines.get(index).strip() : "";
    return line.length() > LONGEST_SHOWN ? line.substring(0, LONGEST_SHOWN) + "..." : line;
  }

  void write(DataOutputStream out) throws IOException {
    out.writeUTF(version);
    byte[] text = String.join("\n", lines).getBytes(StandardCharsets.UTF_8);
    out.writeInt(text.length);
    out.write(text);
  }

  static Terms read(DataInputStream in) throws IOException {
    String version = in.readUTF();
    int length = in.readInt();
    if (length < 0 || length > LONGEST_BYTES) {
      throw new IOException("terms of " + length + " bytes");
    }
    byte[] text = new byte[length];
    in.readFully(text);
    return new Terms(version, new String(text, StandardCharsets.UTF_8).lines().toList());
  }
}
