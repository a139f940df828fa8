using MeshProxy.Cli;

return Commands.Run(args);
