package dev.duoka.diagnosis.rule;

import dev.duoka.formats.json.JsonFields;
import dev.duoka.formats.yaml.YamlData;
import dev.duoka.hardware.xid.Xid;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * One rule per number of the driver's Xid messages: what it means is the hardware module's table,
 * how its rule ranks is {@code xid.yaml}.
 */
final class XidRules {
  private static final double USUAL_CONFIDENCE = 0.85;

  private XidRules() {}

  static List<Rule> all() {
    JsonFields table = YamlData.resource(XidRules.class, "xid.yaml");
    JsonFields confidences = table.object("confidences").orElseThrow();
    return table.objects("rules").stream().map(entry -> rule(entry, confidences)).toList();
  }

  private static Rule rule(JsonFields entry, JsonFields confidences) {
    int number = entry.integer("xid");
    Xid xid =
        Xid.of(number)
            .orElseThrow(
                () -> entry.error("Xid " + number + " means nothing", "Add it to the table."));
    Role role = Role.valueOf(entry.text("role").orElse("root").toUpperCase(Locale.ROOT));
    String id = "xid" + number + "_" + entry.text("id").orElseThrow();
    String start =
        "\\bXid \\((?:PCI:)?(?<pci>[0-9A-Fa-f:.]{4,20})\\): "
            + number
            + ",(?: pid='?(?<pid>[^,']{1,40})'?,)?(?: name=(?<process>[^,]{1,60}),)?";
    List<LinePattern> lines = new ArrayList<>();
    entry.text("telling").ifPresent(telling -> lines.add(line(number, start + ".*?" + telling)));
    lines.add(line(number, start));
    lines.add(named(number));
    return new Rule(
        id,
        Component.valueOf(entry.text("component").orElse("hardware").toUpperCase(Locale.ROOT)),
        role,
        entry.number("confidence", confidences.number(xid.action(), USUAL_CONFIDENCE)),
        "Xid " + number + " on GPU {pci|?}: " + xid.name(),
        xid.why(),
        xid.fix(),
        List.copyOf(lines),
        Optional.empty(),
        Optional.empty(),
        List.of(),
        List.of(),
        List.of(),
        entry.texts("explains"),
        List.of(),
        Optional.empty(),
        List.of(Xid.source()),
        "[ 5214.331907] NVRM: Xid (PCI:0000:3b:00): "
            + number
            + ", pid=4821, name=python3, "
            + xid.name(),
        "[ 5214.331907] NVRM: Xid (PCI:0000:3b:00): 9"
            + number
            + ", pid="
            + number
            + ", name=python3, "
            + xid.name());
  }

  private static LinePattern line(int number, String regex) {
    return new LinePattern(
        List.of("): " + number + ","), Optional.of(Pattern.compile(regex)), Optional.empty(), 0);
  }

  /** Another error's line that names this one as its cause. */
  private static LinePattern named(int number) {
    return new LinePattern(
        List.of("previous xid " + number, "due to xid " + number),
        Optional.of(
            Pattern.compile(
                "\\bXid \\((?:PCI:)?(?<pci>[0-9A-Fa-f:.]{4,20})\\): \\d+,"
                    + "(?: pid='?(?<pid>[^,']{1,40})'?,)?(?: name=(?<process>[^,]{1,60}),)?"
                    + ".{0,160}\\b(?:caused by|due to) (?:a )?(?:previous )?Xid "
                    + number
                    + "\\b")),
        Optional.empty(),
        0);
  }
}
