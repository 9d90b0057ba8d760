package dev.duoka.checks;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import dev.duoka.layout.Layout;
import java.io.IOException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Dependencies point downward only, and native code stays in one module. */
final class ModuleBoundariesTests {
  /** What each module may use of the others. An edge may be taken away, not added lightly. */
  private static final Map<String, Set<String>> MAY_USE =
      Map.ofEntries(
          entry("base"),
          entry("layout", "base"),
          entry("formats", "base"),
          entry("hardware", "base", "formats"),
          entry("ffi", "base"),
          entry("tensor", "base", "ffi"),
          entry("comm", "base", "formats", "ffi", "tensor"),
          entry("engine", "base", "layout", "tensor"),
          entry("model", "base", "layout", "formats", "tensor", "engine"),
          entry("data", "base", "formats"),
          entry(
              "parallel", "base", "layout", "formats", "tensor", "comm", "engine", "model", "data"),
          entry(
              "train",
              "base",
              "layout",
              "formats",
              "hardware",
              "machine",
              "tensor",
              "comm",
              "engine",
              "model",
              "data",
              "parallel"),
          entry(
              "verify",
              "base",
              "layout",
              "formats",
              "tensor",
              "comm",
              "engine",
              "model",
              "data",
              "parallel",
              "train"),
          entry(
              "measure",
              "base",
              "layout",
              "formats",
              "hardware",
              "tensor",
              "comm",
              "engine",
              "model",
              "data",
              "parallel",
              "train"),
          entry("machine", "base", "formats", "hardware", "ffi"),
          entry("doctor", "base", "formats", "hardware", "ffi", "machine"),
          entry("diagnosis", "base", "formats", "hardware"),
          entry(
              "planner",
              "base",
              "layout",
              "formats",
              "hardware",
              "tensor",
              "engine",
              "machine",
              "parallel"),
          entry("operations", "base", "formats", "machine", "diagnosis"),
          entry("experiment", "base", "layout", "formats", "machine", "train", "operations"),
          entry(
              "cli",
              "base",
              "layout",
              "formats",
              "hardware",
              "data",
              "train",
              "verify",
              "measure",
              "machine",
              "doctor",
              "diagnosis",
              "planner",
              "operations",
              "experiment"));

  static final List<String> MODULES = Repository.MODULES;

  /** Words of parallelism in a name; LoRA's ranks, which a latent attention has, are others. */
  private static final Pattern RANKS =
      Pattern.compile(
          "(?:^|[a-z0-9])(?:[Rr]ank|[Ww]orld|[Cc]ollective|[Cc]ommunicator|[Mm]esh)s?(?:[A-Z]|$)"
              + "|^(?:Rank|World|Collective|Communicator|Mesh)");

  private static final JavaClasses CLASSES = ModuleClasses.ALL;

  @ParameterizedTest
  @FieldSource("MODULES")
  void moduleRequiresOnlyModulesBelow(String module) {
    ModuleDescriptor descriptor =
        ModuleFinder.of(Repository.jar(module))
            .find("dev.duoka." + module)
            .orElseThrow()
            .descriptor();
    Set<String> used =
        descriptor.requires().stream()
            .map(ModuleDescriptor.Requires::name)
            .filter(name -> name.startsWith("dev.duoka."))
            .map(name -> name.substring("dev.duoka.".length()))
            .collect(Collectors.toSet());
    assertThat(MAY_USE.getOrDefault(module, Set.of())).containsAll(used);
  }

  @ParameterizedTest
  @FieldSource("MODULES")
  void classesUseOnlyModulesBelow(String module) {
    String[] forbidden =
        MODULES.stream()
            .filter(other -> !other.equals(module))
            .filter(other -> !MAY_USE.getOrDefault(module, Set.of()).contains(other))
            .map(other -> "dev.duoka." + other + "..")
            .toArray(String[]::new);
    noClasses()
        .that()
        .resideInAPackage("dev.duoka." + module + "..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(forbidden)
        .check(CLASSES);
  }

  /** What is allowed and not needed is taken away, so that the map shows the house as it is. */
  @ParameterizedTest
  @FieldSource("MODULES")
  void everyAllowedUseIsMade(String module) {
    Set<String> used =
        CLASSES.stream()
            .filter(type -> type.getPackageName().startsWith("dev.duoka." + module))
            .flatMap(type -> type.getDirectDependenciesFromSelf().stream())
            .map(dependency -> dependency.getTargetClass().getPackageName())
            .filter(name -> name.startsWith("dev.duoka."))
            .map(name -> name.substring("dev.duoka.".length()).split("\\.", 2)[0])
            .collect(Collectors.toSet());
    assertThat(used).containsAll(MAY_USE.getOrDefault(module, Set.of()));
  }

  /** Of the vocabulary of layouts the engine sees what one device does: arithmetic, recompute. */
  @Test
  void theEngineKnowsNoLayout() {
    noClasses()
        .that()
        .resideInAnyPackage("dev.duoka.engine..", "dev.duoka.model..")
        .should()
        .dependOnClassesThat()
        .belongToAnyOf(Layout.class)
        .check(CLASSES);
  }

  @ParameterizedTest
  @FieldSource("MODULES")
  void everyClassLiesUnderItsModulesPackageRoot(String module) throws IOException {
    try (JarFile jar = new JarFile(Repository.jar(module).toFile())) {
      assertThat(jar.stream().map(entry -> entry.getName()))
          .filteredOn(name -> name.endsWith(".class") && !name.equals("module-info.class"))
          .allMatch(name -> name.startsWith("dev/duoka/" + module + "/"));
    }
  }

  @Test
  void onlyTheFfiModuleTouchesNativeCode() {
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.duoka.ffi..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("java.lang.foreign..")
        .orShould()
        .callMethod(System.class, "load", String.class)
        .orShould()
        .callMethod(System.class, "loadLibrary", String.class)
        .orShould()
        .callMethod(Runtime.class, "load", String.class)
        .orShould()
        .callMethod(Runtime.class, "loadLibrary", String.class)
        .check(CLASSES);
  }

  /** A model file reads like its paper; what shards or recomputes it is applied from outside. */
  @ParameterizedTest
  @ValueSource(strings = {"engine", "model"})
  void nothingInModelAndEngineIsNamedAfterRanks(String module) {
    List<String> names =
        CLASSES.stream()
            .filter(type -> type.getPackageName().startsWith("dev.duoka." + module))
            .flatMap(
                type ->
                    Stream.concat(
                        Stream.of(type.getSimpleName()),
                        type.getMembers().stream().map(member -> member.getName())))
            .filter(name -> RANKS.matcher(name).find() && !name.contains("Lora"))
            .distinct()
            .toList();
    assertThat(names).isEmpty();
  }

  @Test
  void packagesHaveNoCycles() {
    SlicesRuleDefinition.slices()
        .matching("dev.duoka.(**)")
        .should()
        .beFreeOfCycles()
        .check(CLASSES);
  }

  @ParameterizedTest
  @FieldSource("MODULES")
  void everyPackageSaysWhatIsInIt(String module) {
    assertThat(Repository.packages(module))
        .allSatisfy(folder -> assertThat(folder.resolve("package-info.java")).exists());
  }

  private static Map.Entry<String, Set<String>> entry(String module, String... mayUse) {
    return Map.entry(module, Set.of(mayUse));
  }
}
