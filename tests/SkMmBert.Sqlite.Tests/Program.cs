using SkMmBert.Tests;

return args is ["write", _, _, _] ? await CrashWriter.RunAsync(args[1], int.Parse(args[2]), int.Parse(args[3])) : await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
