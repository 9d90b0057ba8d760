package dev.duoka.hardware.xid;

import dev.duoka.formats.json.JsonFields;
import dev.duoka.formats.yaml.YamlData;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The table {@code xid.yaml}. */
final class XidFile {
  private static final JsonFields FILE = YamlData.resource(XidFile.class, "xid.yaml");

  static final String SOURCE = text(FILE, "source");
  static final List<Xid> ALL = read();
  static final Map<Integer, Xid> BY_NUMBER =
      ALL.stream().collect(Collectors.toMap(Xid::number, Function.identity()));

  private XidFile() {}

  private static List<Xid> read() {
    Map<String, JsonFields> actions = new HashMap<>();
    for (JsonFields action : FILE.objects("actions")) {
      actions.put(text(action, "id"), action);
    }
    return FILE.objects("xids").stream().map(entry -> xid(entry, actions)).toList();
  }

  private static Xid xid(JsonFields entry, Map<String, JsonFields> actions) {
    String id = text(entry, "action");
    JsonFields action = actions.get(id);
    if (action == null) {
      throw entry.error("Xid action '" + id + "' has no text", "Add it to actions.");
    }
    return new Xid(
        entry.integer("xid"),
        text(entry, "name"),
        id,
        Xid.Gravity.valueOf(
            entry.text("severity").orElse(text(action, "severity")).toUpperCase(Locale.ROOT)),
        entry.text("why").orElse(text(FILE, "why")),
        entry.text("fix").orElse(text(action, "fix")));
  }

  private static String text(JsonFields fields, String name) {
    return fields
        .text(name)
        .orElseThrow(() -> fields.error("an entry has no '" + name + "'", "Add it."));
  }
}
