package dev.duoka.model.adapter;

import static java.util.stream.Collectors.toSet;

import dev.duoka.base.Plural;
import dev.duoka.model.weight.CheckpointTensor;
import dev.duoka.model.weight.Weight;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Says which modules of a model some are: those of one name once, with the layers that they are in.
 */
final class ModuleGroups {
  private static final Pattern IN_LAYER = Pattern.compile(".*?\\.(\\d+)\\.(.+)");

  private final Map<String, Set<String>> pathsByLastWord = new HashMap<>();
  private int layers;

  /**
   * Of a model.
   *
   * @param weights all of it
   */
  ModuleGroups(List<Weight> weights) {
    weights.stream()
        .filter(weight -> !weight.isAdapter())
        .flatMap(ModuleGroups::modules)
        .map(ModuleGroups::place)
        .forEach(
            place -> {
              pathsByLastWord
                  .computeIfAbsent(lastWord(place.path()), _ -> new HashSet<>())
                  .add(place.path());
              layers = Math.max(layers, place.layer() + 1);
            });
  }

  /** The names that transformers gives to what a weight is of; stacked experts are one. */
  static Stream<String> modules(Weight weight) {
    return AdapterDeclarations.isExperts(weight)
        ? Stream.of(weight.spec().name())
        : weight.checkpointTensors().stream().map(CheckpointTensor::module).distinct();
  }

  /**
   * Where a module is.
   *
   * @param path its name within its layer, or all of it
   * @param layer its decoder layer; -1 for none
   */
  private record Place(String path, int layer) {}

  private static Place place(String module) {
    Matcher matcher = IN_LAYER.matcher(module);
    return matcher.matches()
        ? new Place(matcher.group(2), Integer.parseInt(matcher.group(1)))
        : new Place(module, -1);
  }

  private static String lastWord(String path) {
    return path.substring(path.lastIndexOf('.') + 1);
  }

  /**
   * Modules whose names are in the same layers.
   *
   * @param modules all of them, in full
   * @param text for example {@code q_proj, v_proj in layers 0-2, 5 of 24}
   */
  record Group(List<String> modules, String text) {}

  /** The groups of some modules, in the order of their first ones. */
  List<Group> of(Collection<String> modules) {
    Map<String, SortedSet<Integer>> layersOf = new LinkedHashMap<>();
    Map<String, List<String>> modulesOf = new LinkedHashMap<>();
    for (String module : modules) {
      Place place = place(module);
      layersOf.computeIfAbsent(place.path(), _ -> new TreeSet<>()).add(place.layer());
      modulesOf.computeIfAbsent(place.path(), _ -> new ArrayList<>()).add(module);
    }
    Map<SortedSet<Integer>, List<String>> pathsIn = new LinkedHashMap<>();
    layersOf.forEach(
        (path, itsLayers) -> pathsIn.computeIfAbsent(itsLayers, _ -> new ArrayList<>()).add(path));
    List<Group> groups = new ArrayList<>();
    pathsIn.forEach(
        (itsLayers, paths) ->
            groups.add(
                new Group(
                    paths.stream()
                        .flatMap(path -> modulesOf.getOrDefault(path, List.of()).stream())
                        .toList(),
                    String.join(", ", shortest(paths)) + inLayers(itsLayers))));
    return groups;
  }

  /**
   * The last words where no other modules of the model end so; what stands beside one that needs
   * its whole path has its own, too.
   */
  private List<String> shortest(List<String> paths) {
    Set<String> told =
        paths.stream().filter(this::isAmbiguous).map(ModuleGroups::parent).collect(toSet());
    return paths.stream().map(path -> told.contains(parent(path)) ? path : lastWord(path)).toList();
  }

  private boolean isAmbiguous(String path) {
    return pathsByLastWord.getOrDefault(lastWord(path), Set.of()).size() > 1;
  }

  /** What a module is in; nothing for one that is in no other. */
  private static String parent(String path) {
    return path.substring(0, Math.max(0, path.lastIndexOf('.')));
  }

  private String inLayers(SortedSet<Integer> some) {
    if (some.first() < 0) {
      return "";
    }
    if (some.size() == layers) {
      return " in all " + Plural.of(layers, "layer");
    }
    return " in layer" + (some.size() == 1 ? " " : "s ") + ranges(some) + " of " + layers;
  }

  /** For example {@code 0-2, 5}. */
  static String ranges(SortedSet<Integer> numbers) {
    List<String> ranges = new ArrayList<>();
    int first = numbers.first();
    for (int number : numbers) {
      if (!numbers.contains(number + 1)) {
        ranges.add(first == number ? String.valueOf(first) : first + "-" + number);
        SortedSet<Integer> later = numbers.tailSet(number + 1);
        first = later.isEmpty() ? first : later.first();
      }
    }
    return String.join(", ", ranges);
  }
}
