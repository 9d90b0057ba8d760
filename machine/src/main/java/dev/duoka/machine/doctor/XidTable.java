package dev.duoka.machine.doctor;

import dev.duoka.formats.json.JsonFields;
import dev.duoka.formats.yaml.YamlData;
import java.util.List;
import java.util.Locale;

/** What the numbers of the driver mean: {@code xid.yaml}. */
final class XidTable {
  /** What is done about a number. */
  enum Action {
    APPLICATION(
        "the program that ran is the first suspect; the card only if several programs fail on it",
        "compute-sanitizer --tool memcheck …   # on the program that ran"),
    RESET(
        "programs on the GPU died, and it needs a reset before it is used again",
        "sudo nvidia-smi --gpu-reset   # after all GPU programs are stopped; then dcgmi diag -r 3"),
    REBOOT(
        "the GPU is gone until the machine is restarted",
        "sudo reboot   # power off and on if it does not come back; then reseat the card"),
    LINK(
        "the link between GPUs is not sound: collectives fail or slow down",
        "nvidia-smi nvlink -s; nvidia-smi nvlink -e   # then reset; replace the bridge or card if"
            + " it comes back"),
    REPLACE("the card cannot repair itself any more", "replace the card"),
    WATCH("nothing yet; it may get worse", "nvidia-smi -q -d ECC,ROW_REMAPPER   # again in a day"),
    NONE("it follows from another fault or from a killed program", "look at the lines before it");

    private final String consequence;
    private final String fix;

    Action(String consequence, String fix) {
      this.consequence = consequence;
      this.fix = fix;
    }

    String consequence() {
      return consequence;
    }

    String fix() {
      return fix;
    }
  }

  record Entry(int xid, Severity severity, String what, Action action) {}

  private static final JsonFields TABLE = YamlData.resource(XidTable.class, "xid.yaml");

  static final List<Entry> ENTRIES =
      TABLE.objects("entries").stream()
          .map(
              entry ->
                  new Entry(
                      entry.integer("xid"),
                      Severity.valueOf(text(entry, "severity")),
                      entry.text("what").orElse(""),
                      Action.valueOf(text(entry, "action"))))
          .toList();

  private XidTable() {}

  /** The entry of a number; one that says so for a number that is not in the table. */
  static Entry of(int xid) {
    return ENTRIES.stream()
        .filter(entry -> entry.xid() == xid)
        .findFirst()
        .orElseGet(
            () -> new Entry(xid, Severity.WARNING, "which is not in duoka's table", Action.WATCH));
  }

  static String source() {
    return TABLE.text("source").orElse("") + "; read " + TABLE.text("read").orElse("");
  }

  private static String text(JsonFields entry, String name) {
    return entry.text(name).orElse("").toUpperCase(Locale.ROOT);
  }
}
