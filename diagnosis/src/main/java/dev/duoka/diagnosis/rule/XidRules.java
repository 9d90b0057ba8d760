package dev.duoka.diagnosis.rule;

import dev.duoka.formats.json.JsonFields;
import dev.duoka.formats.yaml.YamlData;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** One rule per number of the driver's Xid messages, from the table {@code xid.yaml}. */
final class XidRules {
  private XidRules() {}

  static List<Rule> all() {
    JsonFields table = YamlData.resource(XidRules.class, "xid.yaml");
    Map<String, JsonFields> actions = new HashMap<>();
    for (JsonFields action : table.objects("actions")) {
      actions.put(action.text("id").orElseThrow(), action);
    }
    List<String> sources = table.texts("sources");
    List<Rule> rules = new ArrayList<>();
    for (JsonFields entry : table.objects("xids")) {
      rules.add(rule(entry, actions, sources));
    }
    return rules;
  }

  private static Rule rule(
      JsonFields entry, Map<String, JsonFields> actions, List<String> sources) {
    int number = entry.integer("xid");
    JsonFields action = actions.get(entry.text("action").orElseThrow());
    if (action == null) {
      throw entry.error("Xid " + number + " has an action without a text", "Add it to actions.");
    }
    Role role = Role.valueOf(entry.text("role").orElse("root").toUpperCase(java.util.Locale.ROOT));
    String id = "xid" + number + "_" + entry.text("id").orElseThrow();
    String name = entry.text("name").orElseThrow();
    String start =
        "\\bXid \\((?:PCI:)?(?<pci>[0-9A-Fa-f:.]{4,20})\\): "
            + number
            + ",(?: pid='?(?<pid>[^,']{1,40})'?,)?(?: name=(?<process>[^,]{1,60}),)?";
    List<LinePattern> lines = new ArrayList<>();
    entry.text("telling").ifPresent(telling -> lines.add(line(number, start + ".*?" + telling)));
    lines.add(line(number, start));
    return new Rule(
        id,
        Component.valueOf(
            entry.text("component").orElse("hardware").toUpperCase(java.util.Locale.ROOT)),
        role,
        entry.number("confidence", action.number("confidence", 0.85)),
        "Xid " + number + " on GPU {pci|?}: " + name,
        entry
            .text("why")
            .orElse(
                "The driver itself reports it; errors that programs see on this GPU afterwards"
                    + " follow from it."),
        entry.text("fix").or(() -> action.text("fix")).orElseThrow(),
        List.copyOf(lines),
        Optional.empty(),
        Optional.empty(),
        List.of(),
        List.of(),
        List.of(),
        entry.texts("explains"),
        List.of(),
        Optional.empty(),
        sources,
        "[ 5214.331907] NVRM: Xid (PCI:0000:3b:00): "
            + number
            + ", pid=4821, name=python3, "
            + name);
  }

  private static LinePattern line(int number, String regex) {
    return new LinePattern(
        List.of("): " + number + ","), Optional.of(Pattern.compile(regex)), Optional.empty());
  }
}
