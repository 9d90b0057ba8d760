import org.jspecify.annotations.NullMarked;

/** Why a run failed: reads logs as a stream and names root causes by rules that are data. */
@NullMarked
module dev.duoka.diagnosis {
  requires static transitive org.jspecify;
  requires transitive dev.duoka.base;
  requires transitive dev.duoka.formats;
  requires transitive dev.duoka.hardware;

  exports dev.duoka.diagnosis.log;
  exports dev.duoka.diagnosis.rule;
  exports dev.duoka.diagnosis.scan;
  exports dev.duoka.diagnosis.verdict;

  // The YAML files beside the rules are read by the formats module.
  opens dev.duoka.diagnosis.rule to
      dev.duoka.formats;
}
