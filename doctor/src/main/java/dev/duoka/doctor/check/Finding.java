package dev.duoka.doctor.check;

/**
 * Something that a check found.
 *
 * @param check the id of the check
 * @param severity how bad it is
 * @param evidence what was seen, with the values
 * @param consequence what follows from it for training
 * @param fix what to do: a command to paste, or a sentence where no command does it
 */
public record Finding(
    String check, Severity severity, String evidence, String consequence, String fix) {}
