package dev.duoka.doctor.nccl;

import dev.duoka.base.NearestName;
import dev.duoka.formats.json.JsonFields;
import dev.duoka.formats.yaml.YamlData;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The known variables, from {@code nccl-variables.yaml}. */
public final class NcclCatalog {
  private static final class Loaded {
    static final NcclCatalog CATALOG =
        new NcclCatalog(YamlData.resource(NcclCatalog.class, "nccl-variables.yaml"));
  }

  private final Map<String, NcclVariable> variables = new LinkedHashMap<>();

  private NcclCatalog(JsonFields file) {
    String source = file.text("source").orElseThrow();
    for (JsonFields entry : file.objects("variables")) {
      String name = entry.text("name").orElseThrow();
      String scope = entry.text("scope").orElseThrow().toUpperCase(Locale.ROOT);
      NcclVariable variable =
          new NcclVariable(
              name,
              NcclVariable.Scope.valueOf(scope),
              entry.text("summary").orElseThrow(),
              entry.text("default").orElseThrow(),
              entry.text("values"),
              entry.text("since"),
              entry.text("deprecated"),
              entry.text("removed"),
              entry.text("replaced_by"),
              entry.text("wrong_name_of"),
              entry.text("pitfall"),
              entry.text("source").orElse(source));
      if (variables.put(name, variable) != null) {
        throw entry.error("variable " + name + " is there twice", "Remove one.");
      }
    }
  }

  /** The catalogue. */
  public static NcclCatalog get() {
    return Loaded.CATALOG;
  }

  /** All variables in the order of the file. */
  public Collection<NcclVariable> variables() {
    return Collections.unmodifiableCollection(variables.values());
  }

  /** A variable by its exact name. */
  public Optional<NcclVariable> find(String name) {
    return Optional.ofNullable(variables.get(name));
  }

  /** The known name that a user probably meant by an unknown one. */
  public Optional<String> nearest(String name) {
    return NearestName.of(name, variables.keySet());
  }
}
