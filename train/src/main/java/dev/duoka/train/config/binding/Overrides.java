package dev.duoka.train.config.binding;

import dev.duoka.formats.yaml.YamlParser;
import dev.duoka.formats.yaml.YamlTree;
import java.util.List;
import java.util.Optional;

/** Lays {@code --set key=value} of the command line over a file, before it is bound to records. */
public final class Overrides {
  private Overrides() {}

  /**
   * The file with every override applied, the last one of a key winning.
   *
   * @param overrides {@code dotted.path=value}, the value in YAML; an empty value or {@code null}
   *     unsets the field
   */
  public static YamlTree.Mapping apply(
      YamlTree.Mapping file, List<String> overrides, Problems problems) {
    YamlTree.Mapping result = file;
    for (String override : overrides) {
      int equals = override.indexOf('=');
      String key = equals < 0 ? override : override.substring(0, equals).strip();
      String origin = "--set " + key;
      List<String> path = YamlTree.parts(key);
      if (equals < 0 || path.stream().anyMatch(String::isBlank)) {
        problems.add(
            origin, "not of the form key=value", "For example --set optimizer.learning_rate=1e-4.");
        continue;
      }
      Optional<YamlTree> value = YamlParser.value(origin, override.substring(equals + 1), problems);
      if (value.isEmpty()) {
        continue;
      }
      try {
        result = result.with(path, new YamlTree.Entry(origin, true, value.get()));
      } catch (YamlTree.NotASectionException e) {
        problems.add(origin, "'" + e.getMessage() + "' has a value and no fields", "");
      }
    }
    return result;
  }
}
