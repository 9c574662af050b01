/** The user as which the harness makes faults, and listens to all commands of the instances. */
export const observer = "observer";
