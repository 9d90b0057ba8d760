package dev.duoka.train.run;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What the command line adds to a run file.
 *
 * @param maxSteps the run stops, complete and saved, after this many steps in total
 * @param runDir where the run writes; overrides the run file
 * @param resume whether to go on from the newest valid checkpoint in the run folder
 */
public record RunOptions(OptionalLong maxSteps, Optional<Path> runDir, boolean resume) {}
