package dev.duoka.train.config;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What can be wrong about the sources of a run file together. */
final class SourceFields {
  private static final String SOURCES = "data.sources";
  private static final String VALIDATION = "data.validation_sources";

  private final DataSettings data;
  private final boolean hasEpochs;
  private final List<FieldProblem> problems = new ArrayList<>();

  private SourceFields(RunConfig config) {
    this.data = config.data();
    this.hasEpochs = config.training().epochs().isPresent();
  }

  static List<FieldProblem> problems(RunConfig config) {
    SourceFields fields = new SourceFields(config);
    fields.places();
    fields.names();
    fields.templates();
    fields.weights();
    fields.validation();
    return fields.problems;
  }

  private void places() {
    if (data.allSources().stream().anyMatch(source -> source.path().isBlank())) {
      add(SOURCES, "data.sources holds an empty name", "");
    }
  }

  private void names() {
    boolean named = data.allSources().stream().anyMatch(source -> !source.isPathAlone());
    if (!named && data.validationSources().isEmpty()) {
      return;
    }
    Map<String, String> seen = new LinkedHashMap<>();
    for (SourceSettings source : data.allSources()) {
      String before = seen.put(source.shownName(), source.path());
      if (before != null) {
        add(
            data.sources().contains(source) ? SOURCES : VALIDATION,
            "two sources are called " + source.shownName() + ": " + before + " and " + source,
            "Give one of them a name: of its own, as {path: " + source + ", name: other}.");
      }
    }
  }

  private void templates() {
    for (SourceSettings source : data.allSources()) {
      if (source.chatTemplate().isPresent() && !data.usesTemplate(source)) {
        add(
            data.sources().contains(source) ? SOURCES : VALIDATION,
            "the source " + source + " has a chat template, but holds neither chats nor pairs",
            "Remove it, or set its format to chat or pairs.");
      }
    }
  }

  private void weights() {
    List<SourceSettings> sources = data.sources();
    for (int i = 0; i < sources.size(); i++) {
      if (sources.get(i).weight().isPresent() && sources.get(i).epochs().isPresent()) {
        add(
            SOURCES + "[" + i + "].epochs",
            "the source " + sources.get(i) + " has both a weight and epochs",
            "Keep one of them.");
      }
    }
    long weighted = sources.stream().filter(source -> source.weight().isPresent()).count();
    if (weighted == 0) {
      return;
    }
    if (weighted < sources.size()) {
      add(
          SOURCES,
          weighted + " of " + sources.size() + " sources have a weight",
          "Give each of them one, or none; weights are shares of the training sequences.");
    } else if (hasEpochs) {
      add(
          "training.epochs",
          "training.epochs counts passes over all sources, but sources with weights are exhausted"
              + " at different times",
          "Set training.steps or training.tokens, or write epochs in place of the weights.");
    }
  }

  private void validation() {
    List<SourceSettings> sources = data.validationSources();
    for (int i = 0; i < sources.size(); i++) {
      SourceSettings source = sources.get(i);
      if (source.weight().isPresent()
          || source.epochs().isPresent()
          || source.validationFraction().isPresent()) {
        add(
            VALIDATION + "[" + i + "]",
            "the source " + source + " is for validation alone: all of it is held out, once",
            "Remove its weight, epochs and validation_fraction.");
      }
    }
  }

  private void add(String field, String problem, String remedy) {
    problems.add(new FieldProblem(field, problem, remedy));
  }
}
