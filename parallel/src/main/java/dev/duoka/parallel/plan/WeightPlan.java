package dev.duoka.parallel.plan;

import dev.duoka.engine.parameter.Axis;
import dev.duoka.engine.parameter.ParameterSpec;
import dev.duoka.engine.parameter.Portion;
import dev.duoka.engine.parameter.Portion.Stretch;
import dev.duoka.engine.parameter.Section;
import dev.duoka.parallel.mesh.Mesh;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * What of each weight one rank holds, from the axes that the model declares: heads, feed-forward
 * widths and the vocabulary are cut over the tensor ranks, routed experts are spread over the
 * expert ranks and not cut, everything else is on every rank. Where there are fewer heads of keys
 * and values than tensor ranks, neighbouring ranks hold the same head.
 */
public final class WeightPlan {
  private static final Set<Axis> CUT =
      Set.of(Axis.HEADS, Axis.KEY_VALUE_HEADS, Axis.FEED_FORWARD, Axis.VOCABULARY);

  /** A large vocabulary is cut at multiples of this, which products like. */
  private static final long VOCABULARY_UNIT = 64;

  private final Mesh mesh;
  private final int tensorRank;
  private final int expertPart;

  /** The plan of one rank of a mesh. */
  public WeightPlan(Mesh mesh, int rank) {
    this.mesh = mesh;
    this.tensorRank = mesh.coordinate(rank, Mesh.Axis.TENSOR);
    this.expertPart = mesh.expertPart(rank);
  }

  /** What of a whole weight the rank holds. */
  public ParameterSpec part(ParameterSpec whole) {
    if (isRoutedExperts(whole)) {
      return mesh.expert() == 1 ? whole : cut(whole, 0, mesh.expert(), expertPart);
    }
    int dimension = cutDimension(whole);
    return mesh.tensor() == 1 || dimension < 0
        ? whole
        : cut(whole, dimension, mesh.tensor(), tensorRank);
  }

  /** Over which ranks its gradients are summed. */
  public WeightGroup group(ParameterSpec whole) {
    if (mesh.tensor() == 1 && mesh.expert() == 1) {
      return WeightGroup.ALL;
    }
    if (isRoutedExperts(whole)) {
      return mesh.expert() == 1 ? WeightGroup.WHOLE : WeightGroup.EXPERTS;
    }
    return mesh.tensor() > 1 && cutDimension(whole) < 0 ? WeightGroup.WHOLE : WeightGroup.CUT;
  }

  /** Whether a weight has one matrix for each routed expert. */
  static boolean isRoutedExperts(ParameterSpec spec) {
    return spec.sections().size() == 3 && spec.has(Axis.EXPERTS);
  }

  /** Whether tensor parallelism cuts it. */
  static boolean isCut(ParameterSpec spec) {
    return !isRoutedExperts(spec) && cutDimension(spec) >= 0;
  }

  /** The dimension that tensor parallelism cuts; −1 for none. */
  private static int cutDimension(ParameterSpec spec) {
    for (int dimension = 0; dimension < spec.sections().size(); dimension++) {
      if (spec.sections().get(dimension).stream().anyMatch(it -> CUT.contains(it.axis()))) {
        return dimension;
      }
    }
    return -1;
  }

  private static ParameterSpec cut(ParameterSpec whole, int dimension, int parts, int part) {
    List<Section> sections = new ArrayList<>();
    List<Stretch> stretches = new ArrayList<>();
    long from = 0;
    long to = 0;
    for (Section section : whole.sections().get(dimension)) {
      Stretch stretch = stretch(whole, section, parts, part);
      sections.add(new Section(section.axis(), stretch.length() / section.unit(), section.unit()));
      stretches.add(
          new Stretch(
              from + stretch.from(), to, stretch.length(), stretch.copies(), stretch.counted()));
      from += section.length();
      to += stretch.length();
    }
    List<List<Section>> all = new ArrayList<>(whole.sections());
    all.set(dimension, sections);
    return whole.part(all, new Portion(whole.shape(), dimension, stretches));
  }

  /** A part of one section, from the section's start. */
  private static Stretch stretch(ParameterSpec whole, Section section, int parts, int part) {
    if (section.axis() == Axis.VOCABULARY) {
      long first = vocabularyStart(section.count(), parts, part);
      long end = vocabularyStart(section.count(), parts, part + 1);
      return new Stretch(first, 0, end - first, 1, true);
    }
    if (section.axis() == Axis.KEY_VALUE_HEADS && section.count() < parts) {
      int copies = Math.toIntExact(parts / section.count());
      require(whole, section, parts, parts % section.count() == 0);
      return new Stretch(
          part / copies * section.unit(), 0, section.unit(), copies, part % copies == 0);
    }
    require(whole, section, parts, section.count() % parts == 0);
    long length = section.length() / parts;
    return new Stretch(part * length, 0, length, 1, true);
  }

  /** Parts of about equal size, none empty where there are as many rows as parts. */
  private static long vocabularyStart(long count, int parts, int part) {
    long unit = count >= 4 * VOCABULARY_UNIT * parts ? VOCABULARY_UNIT : 1;
    return Math.min(count, Math.ceilDiv(count, unit) * part / parts * unit);
  }

  private static void require(ParameterSpec whole, Section section, int parts, boolean divides) {
    if (!divides) {
      throw new IllegalArgumentException(
          section.count()
              + " "
              + section.axis()
              + " of "
              + whole.name()
              + " over "
              + parts
              + " ranks");
    }
  }
}
