package dev.duoka.train.config;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.yaml.YamlParser;
import dev.duoka.formats.yaml.YamlTree;
import dev.duoka.train.config.binding.Binder;
import dev.duoka.train.config.binding.Problems;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Options of commands that say an adapter: section {@code adapter} of a run file, field by field.
 */
public final class AdapterOption {
  private AdapterOption() {}

  /** The option of a field, for example {@code --train-whole}. */
  public static String name(String field) {
    return "--" + field.replace('_', '-');
  }

  /**
   * A model with the adapter that the options say.
   *
   * @param fields as of {@link #parse}
   * @throws DuokaException with what is wrong, which errors call by the options' names
   * @throws IllegalArgumentException as {@link AdapterSettings#config()}
   */
  public static ModelConfig on(ModelConfig model, Map<String, String> fields) {
    return parse(fields).on(model, AdapterOption::name);
  }

  /**
   * Reads fields of the section, with its defaults and limits.
   *
   * @param fields values in YAML by the fields' names in the run file
   * @throws DuokaException with {@link ErrorCode#CONFIG} and everything that is wrong
   */
  public static AdapterSettings parse(Map<String, String> fields) {
    Problems problems = new Problems("the adapter's options");
    Map<String, YamlTree.Entry> entries = new LinkedHashMap<>();
    fields.forEach(
        (field, value) ->
            YamlParser.value(name(field), value, problems)
                .ifPresent(
                    tree -> entries.put(field, new YamlTree.Entry(name(field), true, tree))));
    Binder.Bound<AdapterSettings> bound =
        Binder.bind(new YamlTree.Mapping(entries, "adapter"), AdapterSettings.class, problems);
    problems.throwIfAny();
    return bound.value().orElseThrow();
  }
}
