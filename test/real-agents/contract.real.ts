import { describeContract } from '../agents/contract.ts';
import { claudeAgent, codexAgent } from '../agents/contract-agents.ts';

for (const agent of [claudeAgent, codexAgent]) describeContract(agent);
